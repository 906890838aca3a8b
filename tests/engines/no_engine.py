"""Helpers for a network; the engine is elsewhere."""

import random


def init_weights(n, scale=1.0):
    return [random.uniform(-scale, scale) for _ in range(n)]


class Dataset:
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def batches(self, size):
        for i in range(0, len(self.rows), size):
            yield self.rows[i:i + size]

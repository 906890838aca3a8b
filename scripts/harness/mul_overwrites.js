// Faulty: mul sets the gradient of its first operand, where it should add to it.
"use strict";

const engine = require("./engine.js");

const mul = engine.binary((a, b) => a * b, (a, b, out) => {
  a.grad = out.grad * b.data;
  b.grad += out.grad * a.data;
});

module.exports = { ...engine, ops: { ...engine.ops, mul } };

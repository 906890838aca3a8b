/* A scalar autograd engine in C: every value in one table, in order of creation; every rule a row of another.
 *
 * The faulty engines are this file with one line of it changed: compile with -DFAULT=1 or -DFAULT=2. */

#include "engine.h"

#include <math.h>
#include <stdlib.h>

#ifndef FAULT
#define FAULT 0
#endif

const char ENGINE[] = "engine.c";

#define VALUE(name, expression)              \
    static double name(double a, double b) \
    {                                        \
        (void)a, (void)b;                    \
        return expression;                   \
    }

VALUE(add, a + b)
VALUE(sub, a - b)
VALUE(mul, a *b)
VALUE(div_, a / b)
VALUE(neg, -a)
VALUE(exp_, exp(a))
VALUE(log_, log(a))
VALUE(tanh_, tanh(a))
VALUE(pow_, pow(a, b))

#define PUSH(name, statements)                                 \
    static void push_##name(Value *out, Value *a, Value *b) \
    {                                                          \
        (void)a, (void)b;                                      \
        double g = out->grad;                                  \
        statements                                             \
    }

PUSH(add, a->grad += g; b->grad += g;)
PUSH(sub, a->grad += g; b->grad -= g;)
PUSH(mul, a->grad += g * b->data; b->grad += g * a->data;)
#if FAULT == 1 /* the divisor's slope lacks its square */
PUSH(div_, a->grad += g / b->data; b->grad += -g * a->data / b->data;)
#else
PUSH(div_, a->grad += g / b->data; b->grad += -g * (a->data / b->data / b->data);)
#endif
PUSH(neg, a->grad -= g;)
#if FAULT == 2 /* exp sets the gradient where it should add to it */
PUSH(exp_, a->grad = g * out->data;)
#else
PUSH(exp_, a->grad += g * out->data;)
#endif
PUSH(log_, a->grad += g / a->data;)
PUSH(tanh_, a->grad += g * (1 - out->data * out->data);)
PUSH(pow_,
     if (b->data != 0) a->grad += g * (b->data * pow(a->data, b->data - 1));
     if (a->data > 0) b->grad += g * (out->data * log(a->data));)

const Op OPS[] = {
    {"add", add, push_add},    {"sub", sub, push_sub},    {"mul", mul, push_mul},
    {"div", div_, push_div_},  {"neg", neg, push_neg},    {"exp", exp_, push_exp_},
    {"log", log_, push_log_},  {"tanh", tanh_, push_tanh_}, {"pow", pow_, push_pow_},
    {NULL, NULL, NULL},
};

static Value **made;
static long count, room;

static Value *create(double data)
{
    if (count == room) {
        room = room ? 2 * room : 64;
        made = realloc(made, (size_t)room * sizeof *made);
    }
    Value *out = made ? calloc(1, sizeof *out) : NULL;
    if (!out)
        abort();
    out->data = data;
    return made[count++] = out;
}

Value *leaf(double data)
{
    return create(data);
}

Value *apply(const Op *op, Value *a, Value *b)
{
    Value *out = create(op->value(a->data, b ? b->data : 0));
    out->op = op;
    out->a = a;
    out->b = b;
    return out;
}

/* Against the order of creation: whoever used a value has passed its gradient on before the value does. */
void backward(Value *root)
{
    root->grad = 1;
    root->wanted = 1;
    for (long k = count - 1; k >= 0; k--) {
        Value *out = made[k];
        if (out->wanted && out->op) {
            out->a->wanted = 1;
            if (out->b)
                out->b->wanted = 1;
            out->op->push(out, out->a, out->b);
        }
        out->wanted = 0;
    }
}

void forget(void)
{
    while (count)
        free(made[--count]);
}

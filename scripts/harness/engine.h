/* A scalar autograd engine in C, as its harness sees it. */

#ifndef ENGINE_H
#define ENGINE_H

typedef struct Value {
    double data, grad;
    const struct Op *op; /* NULL for a leaf */
    struct Value *a, *b; /* operands */
    int wanted;          /* whether it leads to the root of the backward under way */
} Value;

typedef struct Op {
    const char *name;
    double (*value)(double a, double b);
    void (*push)(Value *out, Value *a, Value *b); /* adds to the operands' gradients */
} Op;

extern const char ENGINE[]; /* its name */
extern const Op OPS[];      /* ends with a row without a name */

Value *leaf(double data);
Value *apply(const Op *op, Value *a, Value *b); /* b is NULL for an op of one operand */
void backward(Value *root);
void forget(void); /* free every value */

#endif

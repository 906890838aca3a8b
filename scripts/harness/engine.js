// A scalar autograd engine in JavaScript. Each operation says how it pushes its gradient, right below its value.
"use strict";

let created = 0;

class Value {
  constructor(data, parents = []) {
    this.data = data;
    this.grad = 0;
    this.parents = parents;
    this.push = () => {};
    this.number = created++;
  }
}

const wrap = (x) => (x instanceof Value ? x : new Value(x));

function binary(f, push) {
  return (x, y) => {
    const a = wrap(x), b = wrap(y), out = new Value(f(a.data, b.data), [a, b]);
    out.push = () => push(a, b, out);
    return out;
  };
}

function unary(f, push) {
  return (x) => {
    const a = wrap(x), out = new Value(f(a.data), [a]);
    out.push = () => push(a, out);
    return out;
  };
}

const ops = {
  add: binary((a, b) => a + b, (a, b, out) => { a.grad += out.grad; b.grad += out.grad; }),
  sub: binary((a, b) => a - b, (a, b, out) => { a.grad += out.grad; b.grad -= out.grad; }),
  mul: binary((a, b) => a * b, (a, b, out) => { a.grad += out.grad * b.data; b.grad += out.grad * a.data; }),
  div: binary((a, b) => a / b, (a, b, out) => {
    a.grad += out.grad / b.data;
    b.grad += -out.grad * (a.data / b.data / b.data);
  }),
  pow: binary((a, b) => a ** b, (a, b, out) => {
    if (b.data !== 0) a.grad += out.grad * (b.data * a.data ** (b.data - 1));
    if (a.data > 0) b.grad += out.grad * (out.data * Math.log(a.data));
  }),
  neg: unary((a) => -a, (a, out) => { a.grad -= out.grad; }),
  exp: unary(Math.exp, (a, out) => { a.grad += out.grad * out.data; }),
  log: unary(Math.log, (a, out) => { a.grad += out.grad / a.data; }),
  tanh: unary(Math.tanh, (a, out) => { a.grad += out.grad * (1 - out.data * out.data); }),
  relu: unary((a) => (a > 0 ? a : 0 * a), (a, out) => { if (a.data > 0) a.grad += out.grad; }),
  sin: unary(Math.sin, (a, out) => { a.grad += out.grad * Math.cos(a.data); }),
  cos: unary(Math.cos, (a, out) => { a.grad -= out.grad * Math.sin(a.data); }),
};

// Later nodes pass their gradient on before earlier ones: the order of creation is topological.
function backward(root) {
  const seen = new Set([root]), stack = [root];
  while (stack.length) {
    for (const parent of stack.pop().parents) {
      if (!seen.has(parent)) { seen.add(parent); stack.push(parent); }
    }
  }
  root.grad = 1;
  for (const node of [...seen].sort((x, y) => y.number - x.number)) node.push();
}

module.exports = { leaf: (x) => new Value(x), backward, ops, binary, unary };

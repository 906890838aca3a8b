// An engine in JavaScript as a subject of the oracle: one line of JSON in, one line out.
//
//   oracle check --exec "node scripts/harness/harness.js"                the engine in engine.js
//   oracle check --exec "node scripts/harness/harness.js tanh_slope.js"  another one, from the same folder
//
// An engine exports `leaf(number)`, `backward(root)` and `ops`: a function for every operation it offers, on
// operands that are its own nodes or plain numbers. Nodes have `data` and `grad`.
"use strict";

const path = require("path");
const readline = require("readline");

const file = process.argv[2] || "engine.js";
const engine = require(path.join(__dirname, file));

// Floats travel as C99 hex strings, so that no bit is lost: 3 is "0x1.8p+1". ----------------------------------

const view = new DataView(new ArrayBuffer(8));

function toHex(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = (bits & 0xfffffffffffffn).toString(16).padStart(13, "0").replace(/0+$/, "");
  const sign = bits >> 63n ? "-" : "";
  const power = exponent ? exponent - 1023 : fraction ? -1022 : 0;
  return `${sign}0x${exponent ? 1 : 0}${fraction && "." + fraction}p${power < 0 ? "" : "+"}${power}`;
}

function fromHex(text) {
  if (text === "nan") return NaN;
  if (text.endsWith("inf")) return text[0] === "-" ? -Infinity : Infinity;
  const [, sign, whole, fraction = "", power] = /^(-?)0x([01])\.?([0-9a-f]*)p([+-]\d+)$/.exec(text);
  const exponent = whole === "1" ? Number(power) + 1023 : 0;
  view.setBigUint64(0, (BigInt(exponent) << 52n) | BigInt("0x" + (fraction + "0".repeat(13)).slice(0, 13)));
  return sign ? -view.getFloat64(0) : view.getFloat64(0);
}

// One case: compute the program, do the steps, read every value. ----------------------------------------------

function run({ program, steps }) {
  const missing = program.nodes.find(([op]) => !(op in engine.ops));
  if (missing) return { unsupported: missing[0] };
  const values = program.inputs.map((x) => engine.leaf(fromHex(x)));
  const observations = [];
  let during = "forward", at = null;

  const operand = (x) => (typeof x === "number" ? values[x] : "int" in x ? x.int : fromHex(x.num));
  const compute = () => {
    values.length = program.inputs.length;
    for (const [op, operands] of program.nodes) {
      at = values.length;
      values.push(engine.ops[op](...operands.map(operand)));
    }
    at = null;
  };
  const act = {
    backward: (root) => { during = "backward"; engine.backward(values[root]); },
    zero: (indices) => indices.forEach((i) => { values[i].grad = 0; }),
    set: (i, x) => { values[i].data = fromHex(x); },
    rebuild: () => { during = "forward"; compute(); },
    observe: () => observations.push({
      data: values.map((v) => toHex(v.data)),
      grad: values.map((v) => toHex(v.grad)),
    }),
  };
  try {
    compute();
    for (const [step, ...words] of steps) act[step](...words);
  } catch (problem) {
    return { error: { type: problem.name, message: String(problem.message), node: at, during, line: null } };
  }
  return { observations };
}

function answer(message) {
  if (message.cmd === "start") {
    return {
      protocol: 1,
      name: file,
      language: "javascript",
      ops: Object.keys(engine.ops),
      grads: "all",
      capabilities: [],
    };
  }
  if (message.cmd === "run") return { id: message.id, ...run(message) };
  return { id: message.id, unsupported: message.cmd };
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  if (message.cmd === "stop") process.exit(0);
  process.stdout.write(JSON.stringify(answer(message)) + "\n");
});

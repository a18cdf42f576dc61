// Gradients with the squared error, for `kfgn-check --adapter "exec:node small_gradient.js"`.
const transfers = {
  identity: [(h) => h, () => 1],
  tanh: [Math.tanh, (h) => 1 / Math.cosh(h) ** 2],
  softplus: [(h) => Math.max(h, 0) + Math.log1p(Math.exp(-Math.abs(h))), (h) => 1 / (1 + Math.exp(-h))],
};
const dot = (u, v) => u.reduce((sum, x, i) => sum + x * v[i], 0);

function gradient({ weights, layers, X, Y }) {
  const total = weights.map((W) => W.map((row) => row.map(() => 0)));
  const f = layers.map(({ transfer }) => transfers[transfer]);
  X.forEach((x, n) => {
    const a = [x], h = [];
    weights.forEach((W, l) => {
      h.push(W.map((row) => dot(row, [...a[l], 1])));
      a.push(h[l].map(f[l][0]));
    });
    let d = h[weights.length - 1].map((h_i, i) => h_i - Y[n][i]);
    for (let l = weights.length - 1; l >= 0; l--) {
      d.forEach((d_i, i) => [...a[l], 1].forEach((a_j, j) => (total[l][i][j] += (d_i * a_j) / X.length)));
      if (l > 0) d = h[l - 1].map((h_j, j) => dot(d, weights[l].map((row) => row[j])) * f[l - 1][1](h_j));
    }
  });
  return total;
}

const known = ({ version, objective, layers }) =>
  version === 2 && objective === "squared_error" && layers.every(({ transfer, bias }) => transfer in transfers && bias);

function answer({ ask, dtype, problem }) {
  if (ask === "describe") {
    if (dtype !== "float64") return { error: "numbers are float64 here" };
    return { name: "small", version: "1.0", quantities: ["gradient"] };
  }
  return known(problem) ? { arrays: gradient(problem) } : { unsupported: "only the squared error, and no kinks" };
}

if (require.main === module) {
  const lines = require("readline").createInterface({ input: process.stdin });
  lines.on("line", (line) => console.log(JSON.stringify(answer(JSON.parse(line)))));
}

module.exports = { gradient, known };

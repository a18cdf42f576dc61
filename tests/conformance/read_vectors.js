// The golden vectors of the gradient that small_gradient.js can answer: node read_vectors.js FOLDER
const { readFileSync } = require("fs");
const { gradient, known } = require("./small_gradient.js");

const { vectors } = JSON.parse(readFileSync(`${process.argv[2]}/gradient.json`, "utf8"));
const asked = vectors.filter(({ problem }) => known(problem));
let wrong = 0;
for (const { id, problem, expected } of asked) {
  const answer = gradient(problem);
  const worst = expected.map(({ float64, tolerances }, l) => {
    const errors = float64.flatMap((row, i) => row.map((x, j) => Math.abs(answer[l][i][j] - x)));
    return Math.max(...errors) / tolerances.float64;
  });
  const right = worst.every((ratio) => ratio <= 1);
  if (!right) wrong += 1;
  console.log(`${id}: ${right ? "right" : "wrong"}, ${Math.max(...worst).toFixed(2)} tolerances`);
}
process.exit(wrong || !asked.length ? 1 : 0);

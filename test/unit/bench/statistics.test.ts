import { expect, test } from "vitest";
import { fitLine } from "../../../bench/fit-line";
import { measureNoise, median, quantile, ratioNoise } from "../../../bench/statistics";
import { formatNumber } from "../../../bench/table";

test.each([
  [[3, 1, 2], 2, 2.9],
  [[4, 1, 2, 3], 2.5, 3.85],
  [[7], 7, 7],
])("of %j the median is %d, and 95 of 100 lie below %d", (values, middle, most) => {
  expect(median(values)).toBe(middle);
  expect(quantile(values, 0.95)).toBeCloseTo(most);
});

test("noise is the same whichever way, larger for what scatters, and unknown for few samples", () => {
  expect(measureNoise(1.25)).toBeCloseTo(measureNoise(0.8));
  const ones = Array.from({ length: 100 }, () => 1);
  const scattered = (by: number) => ones.map((_, index) => 1 + (by * (index % 11)) / 10);
  expect(ratioNoise(ones, ones)).toBe(1);
  expect(ratioNoise(scattered(0.1), ones)).toBeGreaterThan(1.005);
  expect(ratioNoise(scattered(1), ones)).toBeGreaterThan(ratioNoise(scattered(0.1), ones));
  // Four times as many samples have half of the noise.
  const many = [...scattered(1), ...scattered(1), ...scattered(1), ...scattered(1)];
  expect(
    ratioNoise(
      many,
      many.map(() => 1),
    ),
  ).toBeLessThan(ratioNoise(scattered(1), ones));
  expect(ratioNoise([1, 2, 3], [1, 2, 3])).toBeNaN();
});

test("a line fits points on it exactly, and a parabola is not straight", () => {
  const xs = [1, 2, 3, 4, 5];
  expect(fitLine(xs.map((x) => [x, 3 * x - 2]))).toEqual({ slope: 3, intercept: -2, straightness: 1 });
  expect(fitLine(xs.map((x) => [x, x * x])).straightness).toBeLessThan(0.97);
});

test.each([
  [0.000_647_1, "0.000647"],
  [0.0728, "0.0728"],
  [1.0444, "1.04"],
  [33.92, "33.9"],
  [576_692.4, "576,692"],
  [0, "0"],
])("%d is written as %s", (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

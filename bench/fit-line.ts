/** Fits a straight line to points by least squares. `straightness` is R²: 1 when all points lie on the line. */
export function fitLine(points: readonly (readonly [number, number])[]): {
  readonly slope: number;
  readonly intercept: number;
  readonly straightness: number;
} {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middleX, middleY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const sum = (of: (x: number, y: number) => number) => {
    return points.reduce((total, [x, y]) => total + of(x - middleX, y - middleY), 0);
  };
  const [xx, xy, yy] = [sum((x) => x * x), sum((x, y) => x * y), sum((_, y) => y * y)];
  const slope = xy / xx;
  return { slope, intercept: middleY - slope * middleX, straightness: (xy * xy) / (xx * yy) };
}

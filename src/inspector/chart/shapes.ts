// What the drawings consist of: points, boxes, lines with round corners, and how wide a text is. Pure; knows no machine and no browser.

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

/** Width of one character of the labels' face, pixels at 11 px of a monospaced face. What is a little too wide harms nothing. */
const characterPx = 6.7;
const cornerPx = 6;

export function textWidth(text: string): number {
  return Math.ceil(text.length * characterPx);
}

/** An SVG path through points that turn at right angles, with round corners. */
export function roundedPath(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${first.x} ${first.y}`;
  for (const [index, point] of rest.entries()) {
    const before = points[index] ?? first;
    const after = points[index + 2];
    if (after === undefined) {
      path += `L${point.x} ${point.y}`;
      continue;
    }
    const radius = Math.min(cornerPx, distance(before, point) / 2, distance(point, after) / 2);
    const from = towards(point, before, radius);
    const to = towards(point, after, radius);
    path += `L${from.x} ${from.y}Q${point.x} ${point.y} ${to.x} ${to.y}`;
  }
  return path;
}

function distance(a: Point, b: Point): number {
  return Math.abs(a.x - b.x) + Math.abs(a.y - b.y);
}

function towards(from: Point, to: Point, px: number): Point {
  return { x: from.x + Math.sign(to.x - from.x) * px, y: from.y + Math.sign(to.y - from.y) * px };
}

export function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

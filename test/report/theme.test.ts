/** Colours that are seen on both pages, by everyone. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { colours, neutral, pages } from 'attention-capacity/report/theme';

type Rgb = readonly [number, number, number];

/** sRGB, decoded to linear light. */
function linear(colour: string): Rgb {
  const channel = (at: number) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

/** WCAG 2.2's contrast ratio. */
function contrast(one: string, other: string): number {
  const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const [light, dark] = [luminance(linear(one)), luminance(linear(other))].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** Machado, Oliveira and Fernandes 2009, severity 1: how a colour looks, in linear light. */
const visions: Record<string, readonly Rgb[]> = {
  full: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
};

/** CIE L*a*b* (D65) of linear sRGB. */
function lab(rgb: Rgb): Rgb {
  const [r, g, b] = rgb.map((value) => Math.min(1, Math.max(0, value)));
  const xyz = [
    (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
    0.2126 * r + 0.7152 * g + 0.0722 * b,
    (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
  ].map((t) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27) * (t / 116) + 16 / 116));
  return [116 * xyz[1] - 16, 500 * (xyz[0] - xyz[1]), 200 * (xyz[1] - xyz[2])];
}

describe('the theme', () => {
  for (const [name, page] of Object.entries(pages)) {
    test(`traces are seen on the ${name} page (3 to 1), text is read (4.5 to 1)`, () => {
      for (const colour of [...colours, neutral]) {
        assert.ok(contrast(colour, page.background) >= 3, `${colour}: ${contrast(colour, page.background).toFixed(2)}`);
      }
      for (const colour of [page.text, page.faint]) assert.ok(contrast(colour, page.background) >= 4.5);
    });
  }

  for (const [name, matrix] of Object.entries(visions)) {
    test(`colours are told apart with ${name} vision`, () => {
      const seen = colours.map((colour) => {
        const rgb = linear(colour);
        return lab(matrix.map((row) => row.reduce((sum, weight, i) => sum + weight * rgb[i], 0)) as unknown as Rgb);
      });
      for (const [i, one] of seen.entries()) {
        for (const other of seen.slice(i + 1)) {
          const distance = Math.hypot(...one.map((value, at) => value - other[at]));
          const both = `${colours[i]} and ${colours[seen.indexOf(other)]}`;
          assert.ok(distance > (seen.indexOf(other) < 4 ? 40 : 20), `${distance.toFixed(1)} between ${both}`);
        }
      }
    });
  }
});

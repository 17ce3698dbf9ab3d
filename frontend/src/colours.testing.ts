/** What eyes make of a colour: for tests of the tokens. */

export type Three = readonly [number, number, number]

const dot = (row: Three, by: Three): number => row[0] * by[0] + row[1] * by[1] + row[2] * by[2]
const times = (matrix: readonly [Three, Three, Three], by: Three): Three => [
  dot(matrix[0], by),
  dot(matrix[1], by),
  dot(matrix[2], by),
]

/** Linear sRGB of "#rrggbb". */
export function linear(colour: string): Three {
  const part = (at: number) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return [part(1), part(3), part(5)]
}

/** Linear sRGB as it is seen without one kind of cone: Machado, Oliveira and Fernandes 2009, at severity 1. */
export const SIGHT = {
  normal: [
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
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
} as const

const XYZ = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
] as const

/** CIELAB, D65, of linear sRGB; what the screen cannot show is cut off. */
function lab(rgb: Three): Three {
  const [r, g, b] = rgb.map((part) => Math.min(1, Math.max(0, part))) as [number, number, number]
  const [x, y, z] = times(XYZ, [r, g, b])
  const root = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)
  const [fx, fy, fz] = [root(x / 0.95047), root(y), root(z / 1.08883)]
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)]
}

/** How far two colours lie apart to the eye, CIEDE2000: Sharma, Wu and Dalal 2005. */
export function difference([l1, a1, b1]: Three, [l2, a2, b2]: Three): number {
  const degrees = (angle: number) => (angle * Math.PI) / 180
  const chroma = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2
  const grey = 1.5 - 0.5 * Math.sqrt(chroma ** 7 / (chroma ** 7 + 25 ** 7))
  const [c1, c2] = [Math.hypot(a1 * grey, b1), Math.hypot(a2 * grey, b2)]
  const hue = (a: number, b: number) => (a === 0 && b === 0 ? 0 : ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360)
  const [h1, h2] = [hue(a1 * grey, b1), hue(a2 * grey, b2)]
  const apart = Math.abs(h1 - h2) > 180
  const turn = c1 * c2 === 0 ? 0 : h2 - h1 + (apart ? (h2 > h1 ? -360 : 360) : 0)
  const [dl, dc, dh] = [l2 - l1, c2 - c1, 2 * Math.sqrt(c1 * c2) * Math.sin(degrees(turn / 2))]
  const [l, c] = [(l1 + l2) / 2, (c1 + c2) / 2]
  const sum = h1 + h2
  const h = c1 * c2 === 0 ? sum : (apart ? (sum < 360 ? sum + 360 : sum - 360) : sum) / 2
  const t =
    1 -
    0.17 * Math.cos(degrees(h - 30)) +
    0.24 * Math.cos(degrees(2 * h)) +
    0.32 * Math.cos(degrees(3 * h + 6)) -
    0.2 * Math.cos(degrees(4 * h - 63))
  const blue = degrees(60 * Math.exp(-(((h - 275) / 25) ** 2)))
  const rotation = -2 * Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7)) * Math.sin(blue)
  const byLight = dl / (1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2))
  const byChroma = dc / (1 + 0.045 * c)
  const byHue = dh / (1 + 0.015 * c * t)
  return Math.sqrt(byLight ** 2 + byChroma ** 2 + byHue ** 2 + rotation * byChroma * byHue)
}

/** The same of two colours, as somebody sees them. */
export const toldApart = (one: string, other: string, sight: keyof typeof SIGHT): number =>
  difference(lab(times(SIGHT[sight], linear(one))), lab(times(SIGHT[sight], linear(other))))

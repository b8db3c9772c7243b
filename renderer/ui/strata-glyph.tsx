import { formatSize } from './format'
import styles from './strata-glyph.module.css'
import { tip } from './tip'

export interface Layer {
  label: string
  /** Space it takes on the host, in bytes; decides how thick it is drawn. */
  sizeBytes: number
  /** `ground`: a base, which nothing writes to. `active`: takes the writes of the guest. */
  kind: 'ground' | 'stratum' | 'active'
}

export interface StrataGlyphProps {
  /** From the ground up. */
  layers: readonly Layer[]
  width?: number
  height?: number
}

const GAP = 2
const LEAST = 5

/**
 * A disk as the product draws all layers: the base as ground, overlays as strata above it, each as thick as its size. The
 * scale is logarithmic: a fresh overlay of 200 KiB and a base of 20 GiB both stay visible. A disk without a base is one stratum.
 */
export function StrataGlyph({ layers, width = 72, height = 44 }: StrataGlyphProps) {
  const drawn = layersAt(layers, height)
  const title = [...layers].reverse().map((layer) => `${layer.label}: ${formatSize(layer.sizeBytes)}`)
  return (
    <svg
      className={styles.glyph}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={title.join(', ')}
      {...tip(title.join('\n'))}
    >
      {drawn.map(({ layer, y, thickness }, index) => (
        <g key={index} data-kind={layer.kind}>
          <rect x={0.5} y={y + 0.5} width={width - 1} height={thickness - 1} rx={1.5} />
          {layer.kind === 'ground' && <path d={hatch(width, y, thickness)} />}
        </g>
      ))}
    </svg>
  )
}

/** Where each layer lies, in pixels from the top. Thickness by the logarithm of the size, together filling the height. */
export function layersAt(layers: readonly Layer[], height: number): { layer: Layer; y: number; thickness: number }[] {
  const weights = layers.map((layer) => Math.max(1, Math.log2(Math.max(1, layer.sizeBytes) / 65536)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const room = height - GAP * (layers.length - 1) - LEAST * layers.length
  let bottom = height
  return layers.map((layer, index) => {
    const thickness = Math.round(LEAST + Math.max(0, room) * ((weights[index] ?? 1) / total))
    bottom -= thickness
    const y = Math.max(0, bottom)
    bottom -= GAP
    return { layer, y, thickness }
  })
}

/** The ground's mark, as maps and sections draw it: short slanted strokes along its upper edge. */
function hatch(width: number, y: number, thickness: number): string {
  const length = Math.min(7, thickness - 3)
  const strokes: string[] = []
  for (let x = 8; x < width - 4; x += 9) strokes.push(`M${x} ${y + 1}l${-length} ${length}`)
  return strokes.join('')
}

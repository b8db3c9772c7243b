import { useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from 'react'
import {
  columnResizingFeature,
  columnSizingFeature,
  createSortedRowModel,
  rowSortingFeature,
  tableFeatures,
  useTable,
  type ColumnDef
} from '@tanstack/react-table'
import { ArrowDown, ArrowUp } from 'lucide-react'
import styles from './table.module.css'

const features = tableFeatures({ rowSortingFeature, columnSizingFeature, columnResizingFeature, sortedRowModel: createSortedRowModel() })
type Features = typeof features

export interface Column<T> {
  id: string
  header: string
  cell: (row: T) => ReactNode
  /** What it sorts by; a column without is not sorted by. */
  sortBy?: (row: T) => string | number
  /** In pixels, to begin with. The column named `grow` takes what is left. */
  width?: number
  grow?: boolean
  /** Left out where there is no room for all columns; of several the first one first. */
  spare?: boolean
  align?: 'start' | 'end'
}

/** What a user changed of a table: kept by whoever shows it. */
export interface TableLayout {
  sort: { id: string; desc: boolean } | null
  widths: Record<string, number>
}

export interface TableProps<T> {
  label: string
  columns: readonly Column<T>[]
  rows: readonly T[]
  rowId: (row: T) => string
  layout: TableLayout
  onLayout: (layout: TableLayout) => void
  /** Enter or a double click on a row. */
  onOpen?: (row: T) => void
}

/** In pixels. In a narrow window the table scrolls before the column that takes what is left has nothing left. */
const GROW_MIN = 160
const WIDTH = 120

const collator = new Intl.Collator('en-GB', { numeric: true, sensitivity: 'base' })
const compare = (a: unknown, b: unknown): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b))

/** A table that sorts by its headers and whose columns keep the widths they are given. */
export function Table<T extends object>({ label, columns: all, rows, rowId, layout, onLayout, onOpen }: TableProps<T>) {
  const frame = useRef<HTMLDivElement>(null)
  const columns = fitting(all, layout.widths, useWidth(frame))
  const table = useTable<Features, T>({
    features,
    data: rows,
    columns: columns.map((column) => definitionOf(column)),
    getRowId: rowId,
    enableSortingRemoval: false,
    enableMultiSort: false,
    columnResizeMode: 'onChange',
    state: { sorting: layout.sort ? [layout.sort] : [], columnSizing: layout.widths },
    onSortingChange: (update) => {
      const sorting = typeof update === 'function' ? update(layout.sort ? [layout.sort] : []) : update
      onLayout({ ...layout, sort: sorting[0] ?? null })
    },
    onColumnSizingChange: (update) => onLayout({ ...layout, widths: typeof update === 'function' ? update(layout.widths) : update })
  })
  const fixed = table
    .getAllLeafColumns()
    .reduce((sum, column) => sum + (columns.find(({ id }) => id === column.id)?.grow ? 0 : column.getSize()), 0)
  const byId = new Map(columns.map((column) => [column.id, column]))
  const openOn = (row: T) => (event: KeyboardEvent) => {
    if (event.key === 'Enter' && event.target === event.currentTarget) onOpen?.(row)
  }
  return (
    <div ref={frame} className={styles.frame}>
      <table className={styles.table} style={{ minWidth: fixed + GROW_MIN }} aria-label={label}>
        <colgroup>
          {table.getAllLeafColumns().map((column) => (
            <col key={column.id} style={byId.get(column.id)?.grow ? undefined : { width: column.getSize() }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {table.getHeaderGroups()[0]?.headers.map((header) => {
              const column = byId.get(header.column.id)
              const sorted = header.column.getIsSorted()
              return (
                <th
                  key={header.id}
                  scope="col"
                  data-align={column?.align}
                  aria-sort={sorted ? (sorted === 'asc' ? 'ascending' : 'descending') : undefined}
                >
                  {column?.sortBy ? (
                    <button type="button" className={styles.sort} onClick={() => header.column.toggleSorting()}>
                      {column.header}
                      {sorted && (sorted === 'asc' ? <ArrowUp size={12} aria-hidden /> : <ArrowDown size={12} aria-hidden />)}
                    </button>
                  ) : (
                    column?.header
                  )}
                  {!column?.grow && column?.header && (
                    <span
                      className={styles.grip}
                      aria-hidden
                      onMouseDown={header.getResizeHandler()}
                      onDoubleClick={() => header.column.resetSize()}
                    />
                  )}
                </th>
              )
            })}
          </tr>
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr
              key={row.id}
              tabIndex={onOpen ? 0 : undefined}
              onDoubleClick={() => onOpen?.(row.original)}
              onKeyDown={openOn(row.original)}
            >
              {columns.map((column) => (
                <td key={column.id} data-align={column.align}>
                  {column.cell(row.original)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** How wide an element is, in pixels; null before it is known. */
function useWidth(element: RefObject<HTMLElement | null>): number | null {
  const [width, setWidth] = useState<number | null>(null)
  useLayoutEffect(() => {
    if (!element.current) return
    const read = (): void => setWidth(element.current?.clientWidth ?? null)
    read()
    const watch = new ResizeObserver(read)
    watch.observe(element.current)
    return () => watch.disconnect()
  }, [element])
  return width
}

/** The columns that there is room for: without spare ones, as many as have to go. */
function fitting<T>(columns: readonly Column<T>[], widths: TableLayout['widths'], room: number | null): readonly Column<T>[] {
  let shown = columns
  for (const column of columns.filter(({ spare }) => spare)) {
    const needed = shown.reduce((sum, { id, grow, width = WIDTH }) => sum + (grow ? GROW_MIN : (widths[id] ?? width)), 0)
    if (room === null || room >= needed) return shown
    shown = shown.filter((one) => one !== column)
  }
  return shown
}

function definitionOf<T extends object>(column: Column<T>): ColumnDef<Features, T> {
  const { sortBy } = column
  return {
    id: column.id,
    header: column.header,
    accessorFn: (row: T) => sortBy?.(row) ?? '',
    enableSorting: sortBy !== undefined,
    sortFn: (a, b, id) => compare(a.getValue(id), b.getValue(id)),
    size: column.width ?? WIDTH,
    minSize: 48
  }
}

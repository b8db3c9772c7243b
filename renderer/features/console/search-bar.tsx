import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import type { ISearchOptions, SearchAddon } from '@xterm/addon-search'
import { ArrowDown, ArrowUp, CaseSensitive, Regex, X } from 'lucide-react'
import { IconButton } from '#ui'
import { onThemeChange, searchColours } from './terminal-look'
import styles from './console.module.css'

/** Looks for text in what a terminal holds. Enter goes up to older output, Shift+Enter down; Escape closes. */
export function SearchBar({ search, onClose }: { search: SearchAddon; onClose: () => void }) {
  const [term, setTerm] = useState('')
  const [caseSensitive, setCaseSensitive] = useState(false)
  const [regex, setRegex] = useState(false)
  const [results, setResults] = useState<{ index: number; count: number } | null>(null)
  const field = useRef<HTMLInputElement>(null)
  const options: ISearchOptions = { caseSensitive, regex, decorations: searchColours() }
  const invalid = regex && !isRegex(term)

  useEffect(() => {
    field.current?.focus()
    const heard = search.onDidChangeResults(({ resultIndex, resultCount }) => setResults({ index: resultIndex, count: resultCount }))
    return () => {
      heard.dispose()
      search.clearDecorations()
    }
  }, [search])

  const find = (direction: 'older' | 'newer', given = term, changed: Partial<ISearchOptions> = {}): void => {
    const all = { ...options, ...changed }
    if (given === '' || (all.regex && !isRegex(given))) {
      search.clearDecorations()
      setResults(null)
    } else if (direction === 'older') search.findPrevious(given, all)
    else search.findNext(given, all)
  }
  const again = useRef(find)
  useEffect(() => void (again.current = find))
  // What is marked keeps the colours it was marked with.
  useEffect(() => onThemeChange(() => again.current('older', undefined, { incremental: true })), [])

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') find(event.shiftKey ? 'newer' : 'older')
    else if (event.key === 'Escape') onClose()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div className={styles.search} role="search" onKeyDown={onKeyDown}>
      <input
        ref={field}
        type="text"
        spellCheck={false}
        aria-label="Find in the console"
        aria-invalid={invalid || undefined}
        placeholder="Find"
        value={term}
        onChange={(event) => {
          setTerm(event.target.value)
          find('older', event.target.value, { incremental: true })
        }}
      />
      <span className={styles.count} role="status">
        {invalid ? 'not a regular expression' : term === '' || !results ? '' : results.count === 0 ? 'nothing found' : countText(results)}
      </span>
      <IconButton
        size="small"
        icon={CaseSensitive}
        label="Match upper and lower case"
        aria-pressed={caseSensitive}
        onClick={() => {
          setCaseSensitive(!caseSensitive)
          find('older', term, { caseSensitive: !caseSensitive })
        }}
      />
      <IconButton
        size="small"
        icon={Regex}
        label="Regular expression"
        aria-pressed={regex}
        onClick={() => {
          setRegex(!regex)
          find('older', term, { regex: !regex })
        }}
      />
      <IconButton size="small" icon={ArrowUp} label="Older" keys="Enter" onClick={() => find('older')} />
      <IconButton size="small" icon={ArrowDown} label="Newer" keys="Shift+Enter" onClick={() => find('newer')} />
      <IconButton size="small" icon={X} label="Close" keys="Escape" onClick={onClose} />
    </div>
  )
}

/** The search counts up to a limit, and then does not know which one it is at (-1). */
const countText = ({ index, count }: { index: number; count: number }): string => (index < 0 ? `${count} or more` : `${index + 1} of ${count}`)

function isRegex(text: string): boolean {
  try {
    new RegExp(text)
    return true
  } catch {
    return false
  }
}

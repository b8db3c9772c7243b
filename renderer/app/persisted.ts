import { create, type StoreApi, type UseBoundStore } from 'zustand'

/**
 * A store whose state outlives the window: how the user arranged things, never what the core holds. What cannot be read, or
 * does not pass `isValid`, is the initial state: losing it costs nothing.
 */
export function createPersisted<T extends object>(key: string, initial: T, isValid: (state: T) => boolean): UseBoundStore<StoreApi<T>> {
  const store = create<T>(() => read(`strata.${key}`, initial, isValid))
  store.subscribe((state) => write(`strata.${key}`, state))
  return store
}

function read<T extends object>(key: string, initial: T, isValid: (state: T) => boolean): T {
  try {
    const state = { ...initial, ...(JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<T>) }
    return isValid(state) ? state : initial
  } catch {
    return initial
  }
}

function write(key: string, state: object): void {
  try {
    localStorage.setItem(key, JSON.stringify(state))
  } catch (error) {
    console.warn('the arrangement of the window is not remembered', error)
  }
}

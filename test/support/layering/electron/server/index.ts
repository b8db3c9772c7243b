/** Breaks server-no-shell. */
export { usage } from '../cli/strata'

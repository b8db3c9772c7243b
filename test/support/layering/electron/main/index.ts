/** Breaks main-no-cli. */
import { usage } from '../cli/strata'

export const title: string = usage

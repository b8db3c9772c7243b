/** Breaks core-below-shells; touching the file system is allowed here. */
import { readFileSync } from 'node:fs'
import { title } from '../../main/index'

export const read = (): string => title + readFileSync('/etc/hostname', 'utf8')

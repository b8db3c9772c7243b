import { z } from 'zod'

/** Schemas check as they are, not by code made for each: that pays only after hundreds of checks, and a start makes a handful. */
z.config({ jitless: true })

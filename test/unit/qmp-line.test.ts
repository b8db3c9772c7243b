import { describe, expect, it } from 'vitest'
import { parseQmpLine } from '#contract'

describe('a QMP command that is typed', () => {
  it('may be a name, a name with arguments, or all of it as JSON', () => {
    expect(parseQmpLine(' query-block ')).toEqual({ command: 'query-block' })
    expect(parseQmpLine('device_del {"id": "net0"}')).toEqual({ command: 'device_del', arguments: { id: 'net0' } })
    expect(parseQmpLine('{"execute": "stop"}')).toEqual({ command: 'stop' })
    expect(parseQmpLine('{"execute": "device_del", "arguments": {"id": "a"}}')).toEqual({ command: 'device_del', arguments: { id: 'a' } })
  })
  it('says what is wrong with it', () => {
    for (const wrong of ['', '???', 'stop now', 'stop [1]', 'stop {"a"', '{"arguments": {}}', '{']) expect(typeof parseQmpLine(wrong), wrong).toBe('string')
  })
})

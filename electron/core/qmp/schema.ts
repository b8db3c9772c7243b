import type { SchemaInfo } from './commands'
import type { QmpSession } from './session'

/**
 * What the QEMU at the other end has, by its own word (query-qmp-schema, since 2.5): to take what a newer one offers, and to
 * say why an older one cannot. Types in the schema have numbers for names, so everything is reached from its command.
 */
export class QmpSchema {
  private readonly infos: Map<string, SchemaInfo>

  constructor(infos: readonly SchemaInfo[]) {
    this.infos = new Map(infos.map((info) => [info.name, info]))
  }

  /** Some 200 KB: ask once, and keep it as long as the QEMU is the same. @throws as `execute` */
  static async of(session: QmpSession): Promise<QmpSchema> {
    return new QmpSchema(await session.execute('query-qmp-schema'))
  }

  hasCommand(name: string): boolean {
    return this.infos.get(name)?.['meta-type'] === 'command'
  }

  hasEvent(name: string): boolean {
    return this.infos.get(name)?.['meta-type'] === 'event'
  }

  /** Whether a command carries a feature flag, as `device_add` does `json-cli`. */
  hasFeature(command: string, feature: string): boolean {
    return this.infos.get(command)?.features?.includes(feature) ?? false
  }

  /**
   * Whether a command takes an argument.
   * @param path members from the outside in, joined by dots; `member=value` for a value, or a branch of a union, to go on in.
   *   `speed`; `type=vhost-user-blk`; `driver=qcow2.discard-no-unref`; `driver=raw.file.driver=file.aio=io_uring`
   */
  hasArgument(command: string, path: string): boolean {
    const info = this.infos.get(command)
    return info?.['meta-type'] === 'command' && this.has(info['arg-type'], path.split('.'))
  }

  /** Whether what a command returns may hold a member; the path is as of `hasArgument`. Lists are looked into. */
  hasReturn(command: string, path: string): boolean {
    const info = this.infos.get(command)
    return info?.['meta-type'] === 'command' && this.has(info['ret-type'], path.split('.'))
  }

  private has(type: string, path: readonly string[]): boolean {
    const [step, ...rest] = path
    if (step === undefined) return true
    const info = this.infos.get(type)
    if (info?.['meta-type'] === 'array') return this.has(info['element-type'], path)
    if (info?.['meta-type'] === 'alternate') return info.members.some((member) => this.has(member.type, path))
    if (info?.['meta-type'] !== 'object') return false
    const [name, value] = step.split('=')
    const member = info.members.find((one) => one.name === name)
    if (!member) return false
    if (value === undefined) return this.has(member.type, rest)
    if (!this.takes(member.type, value)) return false
    const branch = info.tag === name ? info.variants?.find((variant) => variant.case === value) : undefined
    return this.has(type, rest) || (branch !== undefined && this.has(branch.type, rest))
  }

  private takes(type: string, value: string): boolean {
    const info = this.infos.get(type)
    switch (info?.['meta-type']) {
      case 'enum':
        return info.members.some((member) => member.name === value)
      case 'array':
        return this.takes(info['element-type'], value)
      case 'alternate':
        return info.members.some((member) => this.takes(member.type, value))
      default:
        return false
    }
  }
}

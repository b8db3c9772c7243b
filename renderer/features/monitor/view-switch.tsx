import { Segments, type Segment } from '#ui'

export type MonitorView = 'hmp' | 'qmp'
const VIEWS: readonly Segment<MonitorView>[] = [
  { value: 'hmp', label: 'HMP', hint: 'The monitor people type into' },
  { value: 'qmp', label: 'QMP', hint: 'The messages between Strata and QEMU' }
]

export const ViewSwitch = ({ view, onChange }: { view: MonitorView; onChange: (view: MonitorView) => void }) => (
  <Segments label="Monitor" value={view} options={VIEWS} onChange={onChange} />
)

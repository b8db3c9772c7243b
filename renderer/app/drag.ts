/** What is dragged within the window, as a type of its own: nothing else of the desktop is taken for it. The data is its id. */
export const SNAPSHOT_DRAG = 'application/x-strata-snapshot'
/** A machine's disk: the machine's id and the disk's, with a blank between them. */
export const DISK_DRAG = 'application/x-strata-disk'

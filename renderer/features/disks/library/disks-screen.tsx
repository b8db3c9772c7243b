export function DisksScreen() { return null }

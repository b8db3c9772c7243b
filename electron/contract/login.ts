/** Password of the user of a cloud image that was given no SSH key. It opens console and display only: SSH takes no passwords. */
export const CONSOLE_PASSWORD = 'strata'

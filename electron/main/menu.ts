import { Menu, type MenuItemConstructorOptions } from 'electron'

/**
 * The application menu. What the window does is a command id that goes to the window, where the command and its shortcut are
 * defined once; here the shortcut is shown and not registered: keys belong to the page, which knows whether a guest has the keyboard.
 * So no role with a key of its own that a shell in a guest would miss (Ctrl+W, Ctrl+R, Ctrl+Q) is registered either.
 */
export function buildMenu(send: (command: string) => void, quit: () => void, options: { developer: boolean }): Menu {
  const command = (id: string, label: string, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    click: () => send(id),
    ...(accelerator === undefined ? {} : { accelerator, registerAccelerator: false })
  })
  const template: MenuItemConstructorOptions[] = [
    {
      label: '&File',
      submenu: [
        command('machine.create', '&New machine…', 'Ctrl+N'),
        command('image.import', '&Import image…'),
        { type: 'separator' },
        { label: '&Quit', accelerator: 'Ctrl+Q', registerAccelerator: false, click: quit }
      ]
    },
    {
      label: '&View',
      submenu: [
        command('view.palette', '&Command palette…', 'Ctrl+K'),
        { type: 'separator' },
        command('view.theme-system', 'Theme: follow the &system'),
        command('view.theme-light', 'Theme: &light'),
        command('view.theme-dark', 'Theme: &dark'),
        { type: 'separator' },
        { role: 'zoomIn', label: '&Larger', registerAccelerator: false },
        { role: 'zoomOut', label: '&Smaller', registerAccelerator: false },
        { role: 'resetZoom', label: '&Normal size', registerAccelerator: false },
        { role: 'togglefullscreen', label: '&Full screen', registerAccelerator: false },
        ...(options.developer ? ([{ type: 'separator' }, { role: 'toggleDevTools', label: '&Developer tools' }] satisfies MenuItemConstructorOptions[]) : [])
      ]
    },
    {
      label: '&Help',
      submenu: [
        command('help.tour', '&Guided tour'),
        command('help.shortcuts', '&Keyboard shortcuts', 'F1'),
        { type: 'separator' },
        command('help.about', '&About Strata')
      ]
    }
  ]
  return Menu.buildFromTemplate(template)
}

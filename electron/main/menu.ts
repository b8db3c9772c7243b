import { Menu, type MenuItemConstructorOptions } from 'electron'

/**
 * The application menu. What the window does is a command id that goes to the window, where the command and its shortcut are
 * defined once; here the shortcut is shown and not registered. The few keys that are registered reach the menu only when the page
 * left them alone: a console or a display that has the keyboard keeps them for its guest. No Reload, and no Ctrl+W.
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
        { label: '&Quit', accelerator: 'Ctrl+Q', click: quit }
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
        { role: 'zoomIn', label: '&Larger' },
        { role: 'zoomOut', label: '&Smaller' },
        { role: 'resetZoom', label: '&Normal size' },
        { role: 'togglefullscreen', label: '&Full screen' },
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

import { z } from 'zod'
import { Task } from '../models/task'
import { operation } from '../operation'

const taskId = z.string().min(1).meta({ description: 'id of the task', cli: '<task>' })

export const taskOperations = {
  'task.list': operation({ help: 'list the tasks: running ones and those that ended lately', input: z.object({}), result: z.array(Task), reads: true }),
  'task.show': operation({ help: 'show a task with its log', input: z.object({ taskId }), result: Task, reads: true, positional: ['taskId'] }),
  'task.cancel': operation({ help: 'cancel a task; what it had done is undone', input: z.object({ taskId }), result: Task, positional: ['taskId'] }),
  'task.wait': operation({
    help: 'wait until a task has ended',
    input: z.object({ taskId, timeoutSeconds: z.number().positive().max(86400).optional().meta({ description: 'give up waiting after this long; the task goes on' }) }),
    result: Task,
    reads: true,
    positional: ['taskId']
  })
}

/** Examples in help, by operation or own command. Each of them is parsed in a test. */
export const EXAMPLES: { overview: readonly string[] } & Record<string, readonly string[]> = {
  overview: ['strata machine create lab1', 'strata machine start lab1 --wait agent', 'strata guest exec lab1 -- uname -a', 'strata console lab1'],
  'machine.create': [
    'strata machine create lab1',
    'strata machine create lab1 --memory 512M --cpus 2 --disk 4G --forward tcp:2222:22',
    'strata machine create web --source debian-12 --user student --ssh-key "$(cat ~/.ssh/id_ed25519.pub)"'
  ],
  'machine.edit': ['strata machine edit lab1 --memory 1G --no-display', 'strata machine edit lab1 --tag os,week3 --no-forward'],
  'machine.start': ['strata machine start lab1', 'strata machine start lab1 --wait agent --timeout-seconds 60'],
  'machine.stop': ['strata machine stop lab1', 'strata machine stop lab1 --force'],
  'machine.screenshot': ['strata machine screenshot lab1 --file lab1.png', 'strata machine screenshot lab1 > lab1.png'],
  'guest.exec': ['strata guest exec lab1 -- uname -a', "strata guest exec lab1 -- sh -c 'df -h /'", 'strata guest exec lab1 --input - -- tee /tmp/notes < notes.txt'],
  'monitor.run': ["strata monitor lab1 'info block'"],
  'qmp.run': ['strata qmp lab1 query-block', `strata qmp lab1 query-blockstats --arguments '{"query-nodes": true}'`],
  'image.import': ['strata image import ~/Downloads/debian-12.qcow2 --name debian-12', 'strata image import ./install.iso --reference'],
  'snapshot.take': ['strata snapshot take lab1 ready', "strata snapshot take lab1 --note 'before the exercise' --halt"],
  'snapshot.restore': ['strata snapshot restore ready', 'strata snapshot restore ready --no-keep', 'strata snapshot restore ready --as lab2'],
  'snapshot.fork': ['strata snapshot fork ready 20 --prefix ws'],
  'ring.start': ['strata ring start', 'strata ring start --size 256M --cache-percent 0'],
  'ring.load': ['strata ring load --clients 4 --threads 8 --requests 100000'],
  'store.archive': ['strata store archive debian-12', "strata store archive debian-12 --name 'debian-12 before week 3'"],
  'store.experiment': ['strata store experiment --image debian-12 --chunk 4K,64K,1M'],
  'share.create': ['strata share create lab1:disk1 --to lab2 --to lab3', 'strata share create lab1:disk1 --to lab2 --next-start'],
  'share.hand-over': ['strata share hand-over lab1:disk1 lab2', 'strata share hand-over lab1:disk1 lab1 --mount /data'],
  'share.refresh': ['strata share refresh lab1:disk1'],
  'share.bench': ['strata share bench lab2', 'strata share bench lab2 --seconds 0.5 --rounds 5'],
  'share.attach': ['strata share attach lab1:disk1 lab4'],
  'settings.edit': ['strata settings edit --api-tcp --api-port 7411'],
  console: ['strata console lab1', 'strata console lab1 --log', "echo 'ls' | strata console lab1"],
  events: ['strata events'],
  completion: ['source <(strata completion bash)']
}

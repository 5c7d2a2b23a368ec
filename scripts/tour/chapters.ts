/** What a new user does, in order. Each command is run by bash in the fresh clone. */
export interface Chapter {
  readonly title: string;
  readonly text: string;
  readonly commands: readonly string[];
}

export const here: readonly Chapter[] = [
  {
    title: 'Set up',
    text: 'The first command of a checkout sets it up: packages, TensorFlow, three addons. Downloads and builds that other clones of this machine have made come from `~/.cache/simsiam`; all else is done anew.',
    commands: ['npm run -s simsiam -- doctor'],
  },
  {
    title: 'Train',
    text: "The quickstart's digits and recipe, for one epoch instead of 40 and without baselines, so that the tour takes minutes; what all 40 give is in the [README](../README.md#quickstart).",
    commands: [
      'npm run -s simsiam -- dataset fetch mnist5k --output data/mnist5k',
      "sed -e 's/epochs: 40/epochs: 1/' -e 's/epochs: 20/epochs: 3/' -e '/baselines:/d' -e 's/quickstart$/tour/' examples/quickstart.yaml > tour.yaml",
      'npm run -s simsiam -- run -f tour.yaml',
    ],
  },
  {
    title: 'Look',
    text: 'One file, which loads nothing from anywhere.',
    commands: ['npm run -s simsiam -- report runs/tour -o tour.html', 'ls -sh tour.html'],
  },
];

export const install: Chapter = {
  title: 'Install the chart',
  text: 'From here on there is a real Kubernetes API server with its controllers, without nodes: Jobs get pods, and the pods wait. `npm run test:e2e` has nodes, on which they train.',
  commands: [
    'helm install simsiam helm/simsiam-operator --namespace simsiam-system --create-namespace',
    'kubectl wait --for=condition=Established crd/simsiamruns.simsiam.dev --timeout=60s',
    'kubectl get deployments,serviceaccounts,poddisruptionbudgets --namespace simsiam-system',
  ],
};

export const submit: Chapter = {
  title: 'Submit a run and watch it',
  text: "The operator runs beside the server here, as a process, since its pod waits for a node. On a path `simsiam` is the clone's command line.",
  commands: [
    'kubectl create namespace lab',
    'simsiam submit -f examples/cluster.yaml --namespace lab --dry-run --images 1281167',
    'simsiam submit -f examples/cluster.yaml --namespace lab',
    'kubectl wait --for=jsonpath={.status.phase}=Starting simsiamrun --all --namespace lab --timeout=60s',
    'simsiam top --namespace lab',
    'simsiam status "$RUN" --namespace lab --once',
    'kubectl get jobs,pods --namespace lab',
    'simsiam suspend "$RUN" --namespace lab',
    'kubectl wait --for=condition=Suspended simsiamrun --all --namespace lab --timeout=60s',
    'simsiam delete "$RUN" --namespace lab',
    'helm uninstall simsiam --namespace simsiam-system --wait',
  ],
};

import {
  type Dashboard,
  type GraphFieldConfig,
  LegendDisplayMode,
  type Panel,
  type RowPanel,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  type VariableModel,
  VisibilityMode,
  type VizLegendOptions,
  type VizTooltipOptions,
} from '@grafana/schema';
import { dashboardRows, type PanelSpec } from './dashboard-panels.ts';

const datasource = { type: 'prometheus', uid: '${datasource}' };
/** Grafana's grid: 24 columns, rows of 30 pixels. */
const grid = { columns: 24, height: 8, perRow: 3 };

/** The Grafana dashboard of the chart, by Grafana's own types of one. */
export function dashboardJson(): string {
  const dashboard: Dashboard = {
    uid: 'simsiam',
    title: 'SimSiam',
    tags: ['simsiam'],
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        variable('namespace', 'simsiam_generation'),
        variable('run', 'simsiam_generation{namespace=~"$namespace"}'),
      ],
    },
    panels: panels(),
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

function variable(name: string, metric: string): VariableModel {
  return {
    ...{ name, label: name, type: 'query', datasource, refresh: 2, sort: 1 },
    query: { query: `label_values(${metric}, ${name})`, refId: name },
    ...{ includeAll: true, multi: true, allValue: '.*', current: { text: 'All', value: '$__all' } },
  };
}

function panels(): (Panel | RowPanel)[] {
  const all: (Panel | RowPanel)[] = [];
  let y = 0;
  for (const { title, panels } of dashboardRows) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: grid.columns, h: 1 },
      panels: [],
    });
    y += 1;
    for (const [i, spec] of panels.entries()) {
      const w = grid.columns / grid.perRow;
      const gridPos = { x: (i % grid.perRow) * w, y: y + Math.floor(i / grid.perRow) * grid.height, w, h: grid.height };
      all.push(panel(all.length + 1, spec, gridPos));
    }
    y += Math.ceil(panels.length / grid.perRow) * grid.height;
  }
  return all;
}

function panel(
  id: number,
  { title, description, unit, queries, stacked = false, min }: PanelSpec,
  gridPos: Required<Panel>['gridPos'],
): Panel {
  return {
    ...{ id, type: 'timeseries', title, description, datasource, gridPos },
    fieldConfig: {
      defaults: {
        unit,
        ...(min !== undefined && { min }),
        custom: {
          lineWidth: 1,
          fillOpacity: stacked ? 40 : 5,
          showPoints: VisibilityMode.Auto,
          stacking: { mode: stacked ? StackingMode.Normal : StackingMode.None },
        } satisfies GraphFieldConfig,
      },
      overrides: [],
    },
    options: {
      legend: { showLegend: true, displayMode: LegendDisplayMode.List, placement: 'bottom', calcs: [] },
      tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
    } satisfies { legend: VizLegendOptions; tooltip: VizTooltipOptions },
    targets: queries.map(([expr, legendFormat], i) => ({
      ...{ refId: String.fromCodePoint(65 + i), datasource, expr, legendFormat },
    })),
  };
}

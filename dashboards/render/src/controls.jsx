/*
 * Switches of a page's annotations. Grafana draws them in its own program; here they only show which there are.
 */
import { InlineSwitch } from '@grafana/ui';
import { sceneGraph, SceneObjectBase } from '@grafana/scenes';
import React from 'react';

export class LayerSwitches extends SceneObjectBase {
  static Component = ({ model }) => {
    const layers = sceneGraph.getDataLayers(model).flatMap((set) => set.state.layers ?? []);
    return layers.map((layer) => (
      <InlineSwitch key={layer.state.key} label={layer.state.name} showLabel value={layer.state.isEnabled} onChange={() => {}} />
    ));
  };
}

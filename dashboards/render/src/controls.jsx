/*
 * Switches of a page's annotations. Grafana draws them in its own program; here they only show which there are at the top
 * of the page: those in the menu of controls are not drawn.
 */
import { InlineSwitch } from '@grafana/ui';
import { sceneGraph, SceneObjectBase } from '@grafana/scenes';
import React from 'react';

export class LayerSwitches extends SceneObjectBase {
  static Component = ({ model }) => {
    const layers = sceneGraph.getDataLayers(model).flatMap((set) => set.state.layers ?? []);
    const shown = layers.filter((layer) => layer.state.query?.placement !== 'inControlsMenu');
    return shown.map((layer) => (
      <InlineSwitch key={layer.state.key} label={layer.state.name} showLabel value={layer.state.isEnabled} onChange={() => {}} />
    ));
  };
}

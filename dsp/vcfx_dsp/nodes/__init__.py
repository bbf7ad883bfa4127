"""One file per node. `vcfx_dsp.registry` names them; nothing here is imported before it is needed."""

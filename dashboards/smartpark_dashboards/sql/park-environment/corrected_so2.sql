-- Sulfur dioxide at the reference oxygen, of each stack, and the limit that held.
{{corrected so2}}

-- Nitrogen oxides at the reference oxygen, of each stack, and the limit that held.
{{corrected nox}}

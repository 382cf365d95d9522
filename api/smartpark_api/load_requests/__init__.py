"""Load requests as people and programs work with them: the desk of the utility's project manager."""

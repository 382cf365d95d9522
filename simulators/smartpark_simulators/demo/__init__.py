"""The demo: every process of the platform and a simulated park, started and watched as a person would."""

"""Rules by which Grafana judges the platform itself, as code: their queries beside them, the file that Grafana reads.

What the park's readings say is judged by `smartpark alerts run` alone, so that nothing has two truths. A rule here
asks whether readings come in, numbers come out and people are told.
"""

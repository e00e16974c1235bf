"""An architecture's files become a graph, its paths, findings and fixes. Nothing here reads a file or a clock.

``documents`` finds the typed documents of files, ``collectors`` turn them into estates (one for each platform),
linkers turn estates into nodes and edges, ``paths`` searches the graph, ``rules`` look at estates and graph.
"""

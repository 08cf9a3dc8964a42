"""How a report looks: charts as SVG with real text, and the templates of its sections."""

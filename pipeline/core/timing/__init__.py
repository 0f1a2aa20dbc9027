"""From clips and a reference to a timeline: everything that decides when something is said."""

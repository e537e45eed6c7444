"""Who may do what over HTTP: tokens and their rights, how often somebody may ask, and what a deployment lacks."""

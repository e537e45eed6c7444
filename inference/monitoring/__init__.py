"""What monitoring systems ask a gateway: its metrics, whether it lives, whether it is ready."""

"""The admin's first page: how requests, queue, workers and the default network are now, and whether all is well."""

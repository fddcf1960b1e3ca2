"""The jobs that there are, `<module>.<function>` of this package, and what each does in words.

Workers run these and nothing else.
"""

JOBS = {
    "jobs.start": "listing the images",
    "jobs.embed_shard": "embedding images",
    "jobs.embed_new": "embedding new images",
    "jobs.finish": "choosing and publishing a queue",
    "jobs.tidy": "tidying up after a new queue",
    "jobs.reconcile": "comparing the queue with Label Studio",
    "learning_jobs.consider": "training",
    "learning_jobs.show": "showing a version in the queue",
    "seeding.start_training": "Start Training",
    "drawing.draw": "drawing the map",
    "field_jobs.renew": "writing the fields of tasks",
    "experiment_jobs.measure": "measuring a unit of an experiment",
}

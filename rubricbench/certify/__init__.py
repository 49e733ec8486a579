"""Certification: how far a judge can be trusted, with figures and intervals.

From labels to a certificate, through the store, so that a run can be resumed and is paid once::

    from rubricbench.certify.run import CertifyJob, certify_files
    certified = certify_files(CertifyJob(labels=path, out=folder, config=config))
    certified.certificate.variants[0].agreement["sensitivity"].interval

The parts work on arrays alone: `agreement` (error rates from counts per prompt), `correct` (mean
scores after Rogan and Gladen), `ppi` (prediction-powered means), `bridge` (the map from one judge's
scores to another's). Every figure is a `measure.Measure`; how its intervals come about is told
there. Label files are read by `labels` and `readers`, stored verdict pairs by `pairs_file`.
"""

#!/bin/sh
# Passwords and tokens for compose.yaml, drawn at random: sh docker/make-env.sh > docker/.env
# Keep the file: Label Studio and PostgreSQL remember what they were first started with.
set -eu
random() { od -An -N20 -tx1 /dev/urandom | tr -d ' \n'; }
cat <<END
# Who signs in to Label Studio first, at http://localhost:8080
LABEL_STUDIO_USERNAME=${1:-admin@example.com}
LABEL_STUDIO_PASSWORD=$(random)
# With it the backend speaks to Label Studio. Read when Label Studio is first started.
LABEL_STUDIO_API_KEY=$(random)
POSTGRES_PASSWORD=$(random)
REDIS_PASSWORD=$(random)
# With it Label Studio, and people on the page, speak to the backend.
BASIC_AUTH_PASS=$(random)
# PyTorch's own index of CPU wheels makes a small image; empty: PyPI's PyTorch, for GPUs and CPUs.
TORCH_INDEX=
END

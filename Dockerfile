# docker build -t av-envs . && docker run --rm -v av-envs-cache:/cache av-envs doctor
# With what learns: docker build --build-arg EXTRAS=agents,mesh,video -t av-envs .
FROM python:3.12-slim

ARG EXTRAS=mesh,video
RUN apt-get update \
    && apt-get install -y --no-install-recommends libsndfile1 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/av-envs
COPY . .
RUN pip install --no-cache-dir -c constraints.txt ".[${EXTRAS}]" \
    && useradd --create-home player \
    && mkdir /cache && chown player /cache

USER player
WORKDIR /home/player
ENV AV_ENVS_CACHE=/cache
VOLUME /cache
ENTRYPOINT ["av-envs"]
CMD ["doctor"]

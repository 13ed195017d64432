# The service in one image: `docker build --tag hope .`, or docker-compose.yml with a database and a
# place to read the mail.

# What the binary embeds.
FROM node:20-bookworm-slim AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

# Debian 12 here and below, so that the C library is the same.
FROM rust:1.95.0-bookworm AS build
WORKDIR /build
# This image has the right compiler under its own name; rust-toolchain.toml would fetch another.
ENV RUSTUP_TOOLCHAIN=1.95.0
COPY --from=assets /build/node_modules node_modules
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin hope \
    && cp target/release/hope /usr/local/bin/hope

FROM debian:bookworm-slim
# The authorities that vouch for mail servers.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
RUN install --directory --owner=10001 --group=10001 --mode=0750 /data
COPY --from=build /usr/local/bin/hope /usr/local/bin/hope

# Nobody in particular, who owns /data and nothing else.
USER 10001:10001
WORKDIR /
ENV HOPE_LISTEN=0.0.0.0:8080 \
    HOPE_STORE=sqlite:///data/hope.db \
    HOPE_MAIL=dir:///data/mail \
    HOPE_DATA=/data \
    HOPE_LOG_FORMAT=json
VOLUME /data
EXPOSE 8080

# Asks the process itself, with what the image has: bash can open a connection. The answer is 503
# while the store is away or the process is stopping. `hope worker` doesn't listen and wants
# --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${HOPE_LISTEN##*:} && printf 'GET /health/ready HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]

ENTRYPOINT ["hope"]
CMD ["serve"]

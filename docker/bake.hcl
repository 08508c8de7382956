# All six images for several architectures: docker buildx bake -f docker/bake.hcl [--push | --set '*.platform=linux/amd64' --load]
# Compiles across, never emulates. The images are the targets of docker/Dockerfile.

variable "REGISTRY" { default = "" }
variable "TAG" { default = "0.1.0" }
variable "REVISION" { default = "unknown" }

group "default" { targets = ["image"] }

target "image" {
  name = image
  matrix = {
    image = ["identity", "ai-orchestrator", "chatbot", "crm", "analytics", "bizosaas"]
  }
  context    = "."
  dockerfile = "docker/Dockerfile"
  target     = image
  platforms  = ["linux/amd64", "linux/arm64"]
  tags       = ["${REGISTRY}bizosaas/${image}:${TAG}"]
  args = {
    VERSION  = TAG
    REVISION = REVISION
  }
  attest = ["type=sbom", "type=provenance,mode=max"]
}

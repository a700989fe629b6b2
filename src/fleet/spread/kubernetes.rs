//! The manifest of an Indexed Job: a pod a GPU, and the plan beside it in a config map.
//!
//! It is built as JSON by a serializer, which is YAML too, and applied by the user: perwatt talks to no cluster.

use serde_json::{Value, json};

use super::plan::FleetPlan;

/// What the user says of the cluster.
#[derive(Clone, Debug)]
pub struct PodOptions {
    /// The image, with perwatt and a graphics driver's user side in it.
    pub image: String,
    /// The volume claim for the fleet's folder.
    pub claim: String,
    /// The resource that requests a GPU.
    pub gpu_resource: String,
    /// The namespace, where it is not the current one.
    pub namespace: Option<String>,
    /// The user and group that own the folder; the cluster's own rule where nothing is said.
    pub user: u32,
}

/// Where the pod sees the fleet's folder.
const FOLDER: &str = "/fleet";

/// Where the pod sees the plan.
const PLAN_FOLDER: &str = "/plan";

/// As often as the job tries an index again.
const RETRIES: u32 = 2;

/// The manifest for these tasks of a plan: a list of a config map and a job.
///
/// # Errors
/// The plan cannot be written as JSON.
pub fn manifest(plan: &FleetPlan, tasks: &[u32], pods: &PodOptions) -> serde_json::Result<Value> {
    // Of all tasks, so that no two submissions share a name: what a cluster has is not changed by a second manifest.
    let attempts: u64 = plan.tasks.iter().map(|task| u64::from(task.attempts)).sum();
    let name = format!("{}-{attempts}", plan.job_name());
    let mut metadata = json!({
        "name": name,
        "labels": {"app.kubernetes.io/name": "perwatt", "perwatt/fleet": plan.id},
    });
    if let Some(namespace) = &pods.namespace {
        metadata["namespace"] = json!(namespace);
    }
    let config_map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "immutable": true,
        "data": {"fleet.json": serde_json::to_string(plan)?},
    });
    let job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "completionMode": "Indexed",
            "completions": tasks.len(),
            "parallelism": tasks.len(),
            "backoffLimitPerIndex": RETRIES,
            // One node that fails must not end the others.
            "maxFailedIndexes": tasks.len(),
            "template": {
                "metadata": {"labels": metadata["labels"]},
                "spec": pod(&name, tasks, pods),
            },
        },
    });
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": [config_map, job]}))
}

fn pod(config_map: &str, tasks: &[u32], pods: &PodOptions) -> Value {
    let numbers: Vec<String> = tasks.iter().map(ToString::to_string).collect();
    json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": pods.user,
            "runAsGroup": pods.user,
            "fsGroup": pods.user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{
            "name": "perwatt",
            "image": pods.image,
            "command": [
                "perwatt", "fleet", "task", FOLDER,
                format!("--plan={PLAN_FOLDER}/fleet.json"),
                format!("--tasks={}", numbers.join(",")),
            ],
            "env": [
                {"name": "PERWATT_NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                // NVIDIA's runtime gives a container no Vulkan unless it asks for graphics.
                {"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "compute,graphics,utility"},
                {"name": "HOME", "value": "/tmp"},
            ],
            "resources": {"limits": {(pods.gpu_resource.as_str()): "1"}},
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [
                {"name": "fleet", "mountPath": FOLDER},
                {"name": "plan", "mountPath": PLAN_FOLDER, "readOnly": true},
                {"name": "tmp", "mountPath": "/tmp"},
            ],
        }],
        "volumes": [
            {"name": "fleet", "persistentVolumeClaim": {"claimName": pods.claim}},
            {"name": "plan", "configMap": {"name": config_map}},
            {"name": "tmp", "emptyDir": {}},
        ],
    })
}

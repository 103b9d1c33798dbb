"""What CloudFormation calls to keep the resources of template.yaml, by its own schemas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.contracts import sam
from tests.contracts.authorization import actions
from tests.template.transformed import raw_template

# SAM adds these for a function whose alias moves to a new version little by little.
CANARY = frozenset(
    {
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Version",
    }
)
NOTHING = ""  # no property asks for it: the reason stands beside it
# Of all that a schema lists, what is called for one property alone. A template that begins to use
# the property needs the actions, and a test says so.
ONLY_FOR: Mapping[str, Mapping[str, str]] = {
    "AWS::CloudFront::Distribution": {
        "DistributionConfig/ConnectionMode": (
            "cloudfront:CreateConnectionGroup cloudfront:GetConnectionGroup"
        ),
        "DistributionConfig/ContinuousDeploymentPolicyId": (
            "cloudfront:UpdateDistributionWithStagingConfig"
        ),
        "VpcOriginConfig": "cloudfront:GetVpcOrigin",
    },
    "AWS::CodeDeploy::DeploymentGroup": {
        "OnPremisesInstanceTagFilters": "codedeploy:RegisterOnPremisesInstance",
    },
    "AWS::Cognito::UserPool": {
        "EmailConfiguration": "iam:CreateServiceLinkedRole",
        "SmsConfiguration": "iam:PassRole",
        "LambdaConfig": (
            "kms:CreateGrant kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey "
            "kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo"
        ),
        "Schema": "cognito-idp:AddCustomAttributes",
    },
    "AWS::Cognito::UserPoolClient": {
        "AnalyticsConfiguration": (
            "iam:CreateServiceLinkedRole iam:DeleteRolePolicy iam:PassRole iam:PutRolePolicy"
        ),
    },
    "AWS::Cognito::UserPoolGroup": {"RoleArn": "iam:PassRole iam:PutRolePolicy"},
    "AWS::DynamoDB::Table": {
        "ContributorInsightsSpecification": "dynamodb:UpdateContributorInsights",
        "ImportSourceSpecification": (
            "dynamodb:DescribeImport dynamodb:ImportTable logs:CreateLogGroup logs:CreateLogStream "
            "logs:DescribeLogGroups logs:DescribeLogStreams logs:PutLogEvents "
            "logs:PutRetentionPolicy s3:GetObject s3:ListBucket"
        ),
        "KinesisStreamSpecification": (
            "dynamodb:DisableKinesisStreamingDestination "
            "dynamodb:EnableKinesisStreamingDestination "
            "dynamodb:UpdateKinesisStreamingDestination kinesis:DescribeStream kinesis:PutRecords"
        ),
        "ResourcePolicy": "dynamodb:DeleteResourcePolicy dynamodb:PutResourcePolicy",
        # The policy of aws/dynamodb itself lets whoever may use DynamoDB have it use the key:
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
        "SSESpecification/KMSMasterKeyId": (
            "kms:CreateGrant kms:Decrypt kms:DescribeKey kms:Encrypt kms:ListAliases "
            "kms:RevokeGrant"
        ),
        # Replicas are another type, AWS::DynamoDB::GlobalTable. These read and write rows.
        NOTHING: (
            "dynamodb:AssociateTableReplica dynamodb:BatchWriteItem dynamodb:CreateTableReplica "
            "dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:Scan "
            "dynamodb:UpdateItem iam:CreateServiceLinkedRole"
        ),
    },
    "AWS::IAM::ManagedPolicy": {
        "Groups": "iam:AttachGroupPolicy iam:DetachGroupPolicy",
        "Roles": "iam:AttachRolePolicy iam:DetachRolePolicy",
        "Users": "iam:AttachUserPolicy iam:DetachUserPolicy",
    },
    "AWS::IAM::Role": {
        "ManagedPolicyArns": "iam:AttachRolePolicy iam:DetachRolePolicy",
        "PermissionsBoundary": "iam:DeleteRolePermissionsBoundary iam:PutRolePermissionsBoundary",
    },
    "AWS::KMS::Key": {
        "Enabled": "kms:DisableKey kms:EnableKey",
        "EnableKeyRotation": "kms:DisableKeyRotation kms:EnableKeyRotation",
    },
    "AWS::Lambda::Alias": {
        "ProvisionedConcurrencyConfig": (
            "lambda:DeleteProvisionedConcurrencyConfig lambda:PutProvisionedConcurrencyConfig"
        ),
    },
    "AWS::Lambda::EventSourceMapping": {
        "KmsKeyArn": "kms:Decrypt kms:DescribeKey kms:GenerateDataKey",
    },
    "AWS::Lambda::Function": {
        "CapacityProviderConfig": "lambda:PassCapacityProvider",
        "Code/S3ObjectVersion": "s3:GetObjectVersion",
        "CodeSigningConfigArn": (
            "lambda:DeleteFunctionCodeSigningConfig lambda:GetCodeSigningConfig "
            "lambda:PutFunctionCodeSigningConfig"
        ),
        "FileSystemConfigs": "elasticfilesystem:DescribeMountTargets",
        "FunctionScalingConfig": "lambda:PutFunctionScalingConfig",
        "KmsKeyArn": (
            "kms:CreateGrant kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey"
        ),
        "Layers": "lambda:GetLayerVersion",
        "RuntimeManagementConfig": "lambda:PutRuntimeManagementConfig",
        "VpcConfig": (
            "ec2:DescribeNetworkInterfaces ec2:DescribeSecurityGroups ec2:DescribeSubnets "
            "ec2:DescribeVpcs"
        ),
    },
    "AWS::Lambda::Version": {
        "FunctionScalingConfig": "lambda:PutFunctionScalingConfig",
        "ProvisionedConcurrencyConfig": "lambda:PutProvisionedConcurrencyConfig",
        "RuntimePolicy": "lambda:PutRuntimeManagementConfig",
    },
    "AWS::Logs::LogGroup": {
        "BearerTokenAuthenticationEnabled": "logs:PutBearerTokenAuthentication",
        "DataProtectionPolicy": (
            "firehose:TagDeliveryStream logs:CreateLogDelivery logs:PutDataProtectionPolicy"
        ),
        "DeletionProtectionEnabled": "logs:PutLogGroupDeletionProtection",
        "FieldIndexPolicies": "logs:DeleteIndexPolicy logs:PutIndexPolicy",
        "KmsKeyId": "logs:AssociateKmsKey logs:DisassociateKmsKey",
        "ResourcePolicyDocument": "logs:DeleteResourcePolicy logs:PutResourcePolicy",
    },
    "AWS::S3::Bucket": {
        "AbacStatus": "s3:PutBucketAbac",
        "AccelerateConfiguration": "s3:PutAccelerateConfiguration",
        "AccessControl": "s3:PutBucketAcl s3:PutObjectAcl",
        "AnalyticsConfigurations": "s3:PutAnalyticsConfiguration",
        "CorsConfiguration": "s3:PutBucketCORS",
        "IntelligentTieringConfigurations": "s3:PutIntelligentTieringConfiguration",
        "InventoryConfigurations": "s3:PutInventoryConfiguration",
        "LoggingConfiguration": "s3:PutBucketLogging",
        "MetadataConfiguration": (
            "s3:CreateBucketMetadataTableConfiguration s3:DeleteBucketMetadataTableConfiguration "
            "s3:UpdateBucketMetadataInventoryTableConfiguration "
            "s3:UpdateBucketMetadataJournalTableConfiguration s3tables:CreateNamespace "
            "s3tables:CreateTable s3tables:CreateTableBucket s3tables:GetTable "
            "s3tables:GetTableMetadataLocation s3tables:PutTableBucketPolicy "
            "s3tables:PutTableEncryption s3tables:PutTablePolicy "
            "s3tables:UpdateTableMetadataLocation"
        ),
        "MetricsConfigurations": "s3:PutMetricsConfiguration",
        "NotificationConfiguration": "s3:PutBucketNotification",
        "ReplicationConfiguration": "iam:PassRole s3:PutReplicationConfiguration",
        "WebsiteConfiguration": "s3:DeleteBucketWebsite s3:PutBucketWebsite",
        # CloudFormation deletes only empty buckets, so it deletes no object of ours:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
        NOTHING: "s3:DeleteObject",
    },
    "AWS::SNS::Subscription": {"SubscriptionRoleArn": "iam:GetRole iam:PassRole"},
    "AWS::SNS::Topic": {
        "DataProtectionPolicy": "sns:PutDataProtectionPolicy",
        "DeliveryStatusLogging": "iam:GetRole iam:PassRole",
    },
    "AWS::SecretsManager::Secret": {
        "ReplicaRegions": (
            "secretsmanager:RemoveRegionsFromReplication secretsmanager:ReplicateSecretToRegions"
        ),
    },
}


@cache
def needed() -> Mapping[str, frozenset[str]]:
    """The actions by resource type, without those that only unused properties ask for.

    Some names in the schemas are no actions of IAM; nobody can allow those.
    """
    kinds = {each["Type"] for each in raw_template()["Resources"].values()} | CANARY
    return {
        kind: frozenset(each for each in listed if actions(each)) - only_for(kind)
        for kind, listed in sam.permissions_of(sorted(kinds)).items()
    }


def only_for(kind: str) -> frozenset[str]:
    """What the schema lists for properties that the template does not use."""
    return frozenset(each for listed in ONLY_FOR.get(kind, {}).values() for each in listed.split())


def used_properties() -> Mapping[str, set[str]]:
    """Every property that some resource of a type sets, such as SSESpecification/SSEEnabled."""
    found: dict[str, set[str]] = defaultdict(set)
    for resource in raw_template()["Resources"].values():
        _collect(resource["Properties"], "", found[resource["Type"]])
    return found


def _collect(node: Any, place: str, into: set[str]) -> None:
    """Also each property's own name, for those that stand inside a list."""
    match node:
        case dict():
            for name, value in node.items():
                into |= {f"{place}{name}", name}
                _collect(value, f"{place}{name}/", into)
        case list():
            for each in node:
                _collect(each, place, into)

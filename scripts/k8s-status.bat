@echo off
rem What runs in the cluster. See --help. The same as k8s-status.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
set "TIMEOUT=0"

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
call "%LIB%" :option %1 %2
if not "%RC%"=="0" exit /b 2
shift
if "%USED%"=="2" shift
goto arguments

:help
echo Usage: scripts\k8s-status.bat [OPTION]
echo.
echo Shows the release: workloads, pods, volumes, the last warnings, health. Changes nothing. Exit code 0 when every service is
echo rolled out and healthy.
echo.
echo   --namespace NAME   default bizosaas-dev
echo   --release NAME     default bizosaas
echo   --context NAME     context of kubectl
echo   --host HOST        where the NodePorts answer (default: found out)
echo   --timeout SECONDS  longest wait for the services' health (default 0)
echo   --dry-run          the same: nothing is changed in any case
echo   --yes              ask nothing
echo   --help
exit /b 0

:checked
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
exit /b 0

:ended_badly
call "%LIB%" :clean_up
exit /b 1

:main
set "DRY_RUN=no"
call "%LIB%" :need_cluster
if errorlevel 1 exit /b 1
call "%LIB%" :ask get namespace %NAMESPACE% --ignore-not-found -o name
if errorlevel 1 exit /b 1
if "%LINE%"=="" echo error: there is no namespace %NAMESPACE% 1>&2
if "%LINE%"=="" exit /b 1
call "%LIB%" :find_helm_release
if errorlevel 1 exit /b 1
if "%HELM_RELEASE%"=="yes" call %HELM% list --filter "^%RELEASE%$"
set "OURS=app.kubernetes.io/instance=%RELEASE%"
call %KUBE% get deployments,statefulsets,jobs,services,persistentvolumeclaims --selector "%OURS%"
echo.
call %KUBE% get pods --selector "%OURS%" -o wide
echo.
echo last warnings:
call %KUBE% get events --field-selector type=Warning --sort-by=.lastTimestamp
echo.
set "RESULT=0"
for %%N in (identity ai-orchestrator chatbot crm analytics) do call :replicas %%N
call "%LIB%" :health_check %TIMEOUT%
if errorlevel 1 set "RESULT=1"
if "%RESULT%"=="1" exit /b 1
exit /b 0

rem wanted and ready replicas of one Deployment
:replicas
call "%LIB%" :ask get deployment %RELEASE%-%~1 --ignore-not-found -o "jsonpath={.spec.replicas} {.status.availableReplicas}"
set "WANTED=1"
set "READY=0"
for /f "tokens=1,2" %%A in ("%LINE%") do call :numbers %%A %%B
if %READY% GEQ %WANTED% exit /b 0
echo %~1: %READY% of %WANTED% replicas are available
set "RESULT=1"
exit /b 0

:numbers
set "WANTED=%~1"
if not "%~2"=="" set "READY=%~2"
exit /b 0
